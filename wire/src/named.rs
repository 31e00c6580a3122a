//! Enums that travel as names, with a sentence for people.

/// Defines one. What follows `_ =>` is what a name of a later version is read as; no server sends it.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident;

        $($(#[$doc:meta])+ $variant:ident = $name:literal, $message:expr;)+
        $(_ => $(#[$other_doc:meta])+ $other:ident = $other_name:literal, $other_message:expr;)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
        pub enum $enum {
            $(
                $(#[$doc])+
                #[serde(rename = $name)]
                #[cfg_attr(feature = "openapi", oai(rename = $name))]
                $variant,
            )+
            $(
                $(#[$other_doc])+
                #[serde(other, rename = $other_name)]
                #[cfg_attr(feature = "openapi", oai(rename = $other_name))]
                $other,
            )?
        }

        impl $enum {
            /// All that a server sends.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name that is sent.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    $(Self::$other => $other_name,)?
                }
            }

            /// The sentence for people, in English, where there is no better one. Never quotes a request.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$variant => $message,)+
                    $(Self::$other => $other_message,)?
                }
            }
        }
    };
}

pub(crate) use named;
