"""One request to a model's endpoint: by which proxy, whether it was sent, what came back."""
