"""What a cell says: ids, lists, kinds of posts, HTML, and what stands for a missing value."""
