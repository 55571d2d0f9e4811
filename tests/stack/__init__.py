"""A private PostgreSQL, Postfix and Dovecot with our programs, supervised, inside one directory."""
