package rehearsal

// tables are the rows of every service.
var tables = [][]kind{}
