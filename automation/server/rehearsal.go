package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
)

// rehearsalSetting is where the database says whose data folder has its rehearsal
// accounts.
const rehearsalSetting = "rehearsal accounts"

// ownRehearsal makes sure that the rehearsal accounts in this process's data folder
// are those that the database's stacks are in: a process with other ones would find
// nothing of what was made, and make it again.
func (s *Server) ownRehearsal(ctx context.Context, records provision.Store) error {
	folder := operate.RehearsalFolder(s.config.Data)
	own, err := folderID(folder)
	if err != nil {
		return fmt.Errorf("the rehearsal accounts: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return records.Update(ctx, func(tx provision.Tx) error {
		known, err := tx.Setting(rehearsalSetting)
		if err != nil && !errors.Is(err, backend.ErrNotFound) {
			return err
		}
		id, where, _ := strings.Cut(string(known), " ")
		if id != "" && id != own && !s.config.Provisioning.AdoptRehearsal {
			return fmt.Errorf("the rehearsal accounts of this database are in %s: give this process the same data folder (processes on one machine, or a file system with locks that all have), "+
				"run orders in AWS (--account aws), or take none (--role api). Where that folder is lost, and with it all that was made there, --adopt-rehearsal makes this one, %s, the one", where, folder)
		}
		return tx.PutSetting(rehearsalSetting, []byte(own+" "+folder+" of "+host))
	})
}

// folderID names a folder wherever it is mounted, by a file in it.
func folderID(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(folder, "id")
	// Of several processes that begin at once one makes it.
	file, err := os.OpenFile(path+"."+rand.Text(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it is of no use any more
	_, err = file.WriteString(rand.Text())
	if err = errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	id, err := os.ReadFile(path)
	return string(id), err
}
