// Package cedar decides who may do what, with policies in the Cedar language. It
// is provision.Authorizer, and the backend.Authorize of the backend protocol.
//
// A decision is about one principal, one action and one resource:
//
//   - The principal is a User, a ServiceAccount or the System. Its parents are its
//     Groups, and the Roles that its bindings give it in a scope with the resource.
//   - The resource is a Stack in a Project in an Organization in the Installation.
//   - The context says whether there was a second factor, how the principal signed
//     in, and what time it is.
//
// What the policies may speak of is in schema.cedarschema, what the roles may in the
// folder policies. An administrator's own policies are added to those: a permit
// widens, a forbid wins over everything. What no policy permits is refused.
package cedar
