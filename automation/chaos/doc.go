// Package chaos has only tests: it kills, stops, starves and repeats the parts
// of real updates, and looks at what is left. The CLI is the stock one, the
// server a process of its own, and the cloud a provider that remembers whatever
// was done to it.
//
//	REDOUBT_CHAOS_ROUNDS=500 go test ./automation/chaos   # more rounds; make chaos
//	REDOUBT_CHAOS_SEED=4711 REDOUBT_CHAOS_ROUNDS=1 go test -run Killed ./automation/chaos
//
// repeats one round: a failed round is named by its seed.
package chaos
