"""One file a command, by its name; `app` imports it when it is called."""
