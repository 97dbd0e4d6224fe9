"""What a file holds, and its rows as raw columns: tables, JSON, chats, workbooks, Parquet."""
