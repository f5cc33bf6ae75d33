package operate

import (
	"errors"
	"os"

	"redoubt/automation/engine"
)

// scratch is the folder of a run that has files besides its operation's own. Most have
// none, and then it is not made.
type scratch struct {
	folder engine.Folder
	claim  *os.File
}

// make makes the folder, if it is not there yet. One of a process that is killed is
// left to the next operation to remove.
func (s *scratch) make() (path string, err error) {
	if s.claim == nil {
		if s.folder, s.claim, err = engine.MakeFolder(engine.OperationFolder); err != nil {
			return "", err
		}
	}
	return s.folder.Work(), nil
}

func (s *scratch) remove() error {
	if s.claim == nil {
		return nil
	}
	return errors.Join(s.folder.Remove(), s.claim.Close())
}
