-- Ids by which a network names one line: a number and the id beside it, a number
-- written in two ways (ump.contact_alias).  Kept apart from contact_identities,
-- where two ids may belong to two contacts, and one contact have two lines.
CREATE TABLE ump.contact_aliases (
    account_id integer NOT NULL REFERENCES ump.accounts,
    channel    text NOT NULL,
    identifier text NOT NULL,
    alias      text NOT NULL,
    PRIMARY KEY (account_id, channel, identifier, alias)
);
CREATE INDEX contact_aliases_alias ON ump.contact_aliases (account_id, channel, alias);
ALTER TABLE ump.contact_aliases ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ump.contact_aliases FOR SELECT
    USING (account_id = nullif(current_setting('ump.account_id', true), '')::integer);

-- Of before: ids beside the one number that the contact has on that channel.
INSERT INTO ump.contact_aliases (account_id, channel, identifier, alias)
SELECT o.account_id, o.channel, min(o.identifier), i.identifier
  FROM ump.contact_identities i
  JOIN ump.contact_identities o ON o.account_id = i.account_id AND o.contact_id = i.contact_id AND o.channel = i.channel
 WHERE i.linked_how = 'same-number' AND i.identifier NOT LIKE '+%' AND i.valid_to IS NULL
   AND o.identifier LIKE '+%' AND o.valid_to IS NULL
 GROUP BY o.account_id, o.channel, i.identifier HAVING count(*) = 1;
