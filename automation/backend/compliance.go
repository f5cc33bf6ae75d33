package backend

import "slices"

// compliant says whether all required packs did their part in an update that
// ends. The engine (3.250 to 3.259) orders it so:
//
//  1. The packs are loaded. Where one cannot be, the update fails here.
//  2. Before the program starts an update may refresh: no pack looks at that.
//  3. Each resource that the program registers, the stack itself first, is shown
//     to every pack, and the answer of each is an event; only then its step
//     begins, which is a journal entry and an event.
//  4. Where every step succeeded, and only there, each pack is shown the whole
//     stack, and its answer is an event.
//
// So who succeeds has all reports on the stack. Who does not succeed cannot have
// them, but wherever a step was begun, or some pack looked at a resource, every
// pack has looked at one. Before that, a program that does not compile or a pack
// that cannot be loaded, there is nothing that a pack could have looked at, and
// nothing of the program was done.
//
// A client sends its events up to four seconds late, and all of them before it
// says that it succeeded or failed. One that was cancelled or died in its first
// seconds may have run the packs and not said so; it is not compliant, because
// nothing tells it from one that ran none.
func (u Update) compliant() bool {
	if u.Kind != KindUpdate && u.Kind != KindPreview {
		return true // a refresh and a destroy run no packs
	}
	if u.Status == StatusSucceeded {
		return !slices.ContainsFunc(u.Policies, func(p RequiredPack) bool { return !p.Reported })
	}
	begun := u.Stepped || slices.ContainsFunc(u.Policies, func(p RequiredPack) bool { return p.Evaluated })
	return !begun || !slices.ContainsFunc(u.Policies, func(p RequiredPack) bool { return !p.Evaluated })
}

// assumesSteps says whether an update is taken to have begun steps because it
// left a state: one that sends whole states instead of a journal does not say
// what it began, and its events may not have come. A client that says itself how
// its update ended has sent its events, and a last state in any case.
func (c closing) assumesSteps(f folded) bool {
	return f.checkpoint != nil && (c.status == StatusCancelled || c.status == StatusInterrupted)
}
