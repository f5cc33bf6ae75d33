package rotation

// Credentials are a user's name and password.
type Credentials struct{ Username, Password string }

// String keeps the password out of logs and errors.
func (c Credentials) String() string { return c.Username + " (password withheld)" }

// GoString is String, for %#v.
func (c Credentials) GoString() string { return c.String() }

// Value is a secret's value, with the fields that AWS's own rotation functions
// and clients use.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
type Value struct {
	Engine   string `json:"engine"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Database string `json:"dbname"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// Credentials are the value's user.
func (v Value) Credentials() Credentials { return Credentials{v.Username, v.Password} }

// String keeps the password out of logs and errors.
func (v Value) String() string { return v.Credentials().String() }

// GoString is String, for %#v.
func (v Value) GoString() string { return v.String() }
