VSeYZOgr6iOwMrBQWt9+Oqas/cHJj5XEgnK6DLmdco5+N/IZnlNGyVo6hu+3edXZbU1BHg/JG+oD37sgdqthDw==
