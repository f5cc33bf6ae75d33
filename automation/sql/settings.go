package sql

var replaceSetting = columns{"name", "value"}.replace("settings", "name")

// Setting implements backend.Tx.
func (t *tx) Setting(name string) ([]byte, error) {
	scan := func(r row) (b []byte, err error) {
		err = r.Scan(bytesOf{&b})
		return b, err
	}
	return one(t, scan, "SELECT value FROM settings WHERE name = $1", name)
}

// PutSetting implements backend.Tx.
func (t *tx) PutSetting(name string, value []byte) error {
	_, err := t.exec(replaceSetting, name, blob(value))
	return err
}
