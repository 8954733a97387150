"""The pages of the recommender. Whose list a page is about comes from the session, never from the URL."""
