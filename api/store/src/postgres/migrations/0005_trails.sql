-- Whether it was the person who deactivated the account: the user cannot undo what an admin deactivated.
ALTER TABLE users ADD COLUMN deactivated_by_self boolean NOT NULL DEFAULT false;

-- By what a session's theft is found out: {"void_below": 0, "elsewhere": [], …}; what is missing has its default.
ALTER TABLE sessions ADD COLUMN trail jsonb NOT NULL DEFAULT '{}';
