package response

import "redoubt/guide"

// Components are the package's components.
var Components = []guide.Component{ResponderComponent, RunbooksComponent, ContactsComponent}
