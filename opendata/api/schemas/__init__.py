"""What goes in and out of the API, as marshmallow schemas: the answers and the OpenAPI document share them."""
