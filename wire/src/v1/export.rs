//! Everything that is stored about a user.

use serde::{Deserialize, Serialize};

use super::factors::FactorsInfo;
use super::invites::InviteInfo;
use super::sessions::SessionInfo;
use super::users::{EventInfo, UserInfo};

object! {
    /// Everything that is stored about a user.
    PersonalData {
        /// The user.
        user: UserInfo = <UserInfo as poem_openapi::types::Example>::example(),
        /// The user's sessions.
        sessions: Vec<SessionInfo> = vec![<SessionInfo as poem_openapi::types::Example>::example()],
        /// The second factors.
        factors: FactorsInfo = <FactorsInfo as poem_openapi::types::Example>::example(),
        /// The invitations that the user made and that are out.
        invites: Vec<InviteInfo> = vec![<InviteInfo as poem_openapi::types::Example>::example()],
        /// The events of the account, the latest first.
        events: Vec<EventInfo> = vec![<EventInfo as poem_openapi::types::Example>::example()],
    }
}
