-- Each kind of event has a room of its own in the record of an account.
UPDATE events SET class = known.class
  FROM (VALUES ('sign_in_failed', 15), ('profile_changed', 16), ('exported', 17), ('signed_out', 18),
               ('signed_out_elsewhere', 19)) AS known (what, class)
 WHERE events.what = to_jsonb(known.what);
