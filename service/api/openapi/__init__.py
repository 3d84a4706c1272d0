"""What the HTTP API takes and gives, as an OpenAPI 3.1 document: kept as data, held to the routes by tests."""
