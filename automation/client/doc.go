// Package client is the Go client of Redoubt's self-service API, generated from
// docs/openapi.json by internal/apigen: a type for each schema and a method for
// each operation. What is not generated is here: how requests are sent, problems,
// and the stream of an operation's events.
//
//	c := &client.Client{URL: "https://redoubt.example", Token: token}
//	ordered, err := c.CreateStack(ctx, client.NewStack{ProjectID: id, Name: "logs", Blueprint: "secure-bucket"}, client.CreateStackParams{})
//	for event, err := range c.Events(ctx, ordered.Operation.ID, 0) { … }
package client
