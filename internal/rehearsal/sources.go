package rehearsal

// sourceTables are the functions of every service.
var sourceTables = []map[string]source{}
