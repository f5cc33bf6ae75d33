package provision

import "sync"

// near are the workers of this process: they are told without a queue, which takes
// longer.
type near struct {
	mu   sync.Mutex
	last int
	all  map[int]func(OperationKind)
}

func (n *near) tell(kind OperationKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, wake := range n.all {
		wake(kind)
	}
}

// Near has a worker of this process told, until leave is called, that it is time to
// look for an operation of a kind. It may miss some, of other processes all: the
// dispatcher says so too. wake must not block.
func (s *Service) Near(wake func(OperationKind)) (leave func()) {
	s.near.mu.Lock()
	defer s.near.mu.Unlock()
	if s.near.all == nil {
		s.near.all = map[int]func(OperationKind){}
	}
	s.near.last++
	id := s.near.last
	s.near.all[id] = wake
	return func() {
		s.near.mu.Lock()
		defer s.near.mu.Unlock()
		delete(s.near.all, id)
	}
}
