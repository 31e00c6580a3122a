-- Who made an invitation: it counts while they are an active admin. Null for the operator's, and for those from before.
ALTER TABLE invites ADD COLUMN invited_by uuid REFERENCES users (id) ON DELETE CASCADE;

CREATE INDEX invites_by_inviter ON invites (invited_by, id) WHERE invited_by IS NOT NULL;
