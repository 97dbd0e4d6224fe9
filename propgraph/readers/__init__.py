"""Platform logs to posts: one file a platform, one registry, detection by content.

The way of a log: `plan.py` finds its files, their readers and columns; `parts.py` reads each file, batch by batch, of
whose raw columns `rows.py` makes posts; `log.py` puts the posts of all files together; `read.py` goes all the way.
Beside it, `files/` says where bytes are, `layouts/` makes raw columns of them, `platforms/` says what the columns of a
service mean, `values/` and `times/` what a cell says, and `posts/` which post a row is.
"""
