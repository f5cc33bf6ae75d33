// Package launch says what the roles may do that stacks are launched with: the
// preview role, which reads, and a role for each blueprint, which makes what the
// blueprint is made of.
//
//	roles, err := launch.Roles(account, "arn:aws:iam::999988887777:role/redoubt", blueprint.All)
//
// What a blueprint is made of stands in types.json, which a test writes from the
// blueprints' own graphs; what it takes to make a resource of a type is a table,
// rights.go. Both end at the service: a role may touch other resources of the same
// services in its account, and so an account should hold what one team may break.
package launch
