-- Ids of a network that cannot stand before the @ of a mail address (long, or
-- with letters in both cases): what stands there in their place, behind "u.".
ALTER TABLE ump.contact_identities ADD COLUMN address_id text;
CREATE INDEX contact_identities_address ON ump.contact_identities (account_id, channel, address_id)
    WHERE valid_to IS NULL AND address_id IS NOT NULL;
