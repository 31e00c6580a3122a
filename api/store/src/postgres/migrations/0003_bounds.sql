-- Those of one role, in the order in which they came.
CREATE INDEX users_by_role ON users (role, id);

-- Computed by the program (model::Class): what shares its room in the record of an account.
ALTER TABLE events ADD COLUMN class smallint NOT NULL DEFAULT 0;

UPDATE events SET class = known.class
  FROM (VALUES ('registered', 1), ('token_reused', 2), ('store_went_back', 3), ('password_changed', 4),
               ('password_reset', 5), ('password_set', 6), ('email_verified', 7),
               ('email_change_requested', 8), ('email_changed', 9), ('deactivated', 11), ('activated', 12),
               ('deleted', 13)) AS known (what, class)
 WHERE events.what = to_jsonb(known.what);
UPDATE events SET class = 10 WHERE what ? 'role_changed';

CREATE INDEX events_by_class ON events (user_id, class, id);
