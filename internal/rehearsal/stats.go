package rehearsal

import "maps"

// Stats is what the account was asked to do since it was opened, and what it
// holds.
type Stats struct {
	// Calls are provider calls by kind: check, diff, create, read, update,
	// delete, invoke. Previews count too.
	Calls map[string]int
	// Resources are live resources by type.
	Resources map[string]int
	// NotModelled are the live types that have no row in the tables and behave
	// generically, by count.
	NotModelled map[string]int
}

// Stats counts calls and resources.
func (a *Account) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Stats{Calls: maps.Clone(a.calls), Resources: map[string]int{}, NotModelled: map[string]int{}}
	for typ, live := range a.index.types {
		if len(live) == 0 {
			continue
		}
		s.Resources[typ] = len(live)
		if _, modelled := kindOf(typ); !modelled {
			s.NotModelled[typ] = len(live)
		}
	}
	return s
}
