package provision

// Move is a transition, as a worker makes it.
var Move = move

// Waiters is how many operations somebody waits for in this process.
func (s *Service) Waiters() int {
	s.changed.mu.Lock()
	defer s.changed.mu.Unlock()
	return len(s.changed.waiting)
}

// Tell says that something happened to an operation, as a worker of this process
// does.
func (s *Service) Tell(id string) { s.changed.tell(id) }

// CheckInputs is checkInputs.
func CheckInputs(b Blueprint, inputs []byte) ([]byte, []FieldError) { return checkInputs(b, inputs) }
