"""Does suppression help a detector? On the toy set, with hosts and networks of several seeds; start: __main__.py."""
