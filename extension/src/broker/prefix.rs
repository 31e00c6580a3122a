//! Addresses that requests with a token may go to: an origin, and a path below which everything is meant.

use crate::server::{InvalidAddress, Server};

/// An origin and a path: `https://api.example.org`, `https://api.example.org/notes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix(Server);

impl Prefix {
    /// # Errors
    /// It is not an address that tokens may be sent to.
    pub(super) fn parse(address: &str) -> Result<Self, InvalidAddress> {
        Server::parse(address).map(Self)
    }

    pub(super) const fn of(server: Server) -> Self {
        Self(server)
    }

    /// Whether `origin` and `path`, as the browser's parser gives them, are below this prefix.
    pub(super) fn covers(&self, origin: &str, path: &str) -> bool {
        let ours = self.0.path();
        if origin != self.0.origin() {
            return false;
        }
        if ours.is_empty() {
            return true;
        }
        // The browser resolves `..`, encoded or not. It keeps an encoded slash, which some servers decode.
        let lower = path.to_ascii_lowercase();
        let hides_a_slash = lower
            .split('%')
            .skip(1)
            .any(|rest| rest.starts_with("2f") || rest.starts_with("5c"));
        let rest = path.strip_prefix(ours);
        !hides_a_slash && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::Prefix;
    use crate::server::Server;

    fn check(path_of_prefix: &str, origin: &str, path: &str, expected: bool) {
        let server = Server::at("https://api.example").with_path(path_of_prefix);
        assert_eq!(
            Prefix::of(server).covers(origin, path),
            expected,
            "{origin} {path}"
        );
    }

    #[test]
    fn an_origin_covers_all_of_its_paths_and_nothing_else() {
        check("", "https://api.example", "/", true);
        check("", "https://api.example", "/a/b%2Fc", true);
        for origin in [
            "https://api.example.org",
            "http://api.example",
            "https://api.example:8443",
            "null",
            "",
        ] {
            check("", origin, "/", false);
        }
    }

    #[test]
    fn a_path_covers_what_is_below_it() {
        check("/notes", "https://api.example", "/notes", true);
        check("/notes", "https://api.example", "/notes/1", true);
        for path in [
            "/",
            "/note",
            "/notes2",
            "/notes-admin/1",
            "/NOTES/1",
            "//notes/1",
        ] {
            check("/notes", "https://api.example", path, false);
        }
    }

    #[test]
    fn an_encoded_slash_does_not_lead_out_of_a_path() {
        for path in [
            "/notes/..%2fadmin",
            "/notes/..%2Fadmin",
            "/notes/..%5cadmin",
            "/notes%2f..",
        ] {
            check("/notes", "https://api.example", path, false);
        }
    }
}
