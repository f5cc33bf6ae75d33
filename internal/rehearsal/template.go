package rehearsal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// The tables write ids, ARNs, outputs and messages as templates:
//
//	{account} {partition} {region} {dns}   the account's own values
//	{id} {arn}                              of the resource in hand
//	{urnName}                               its logical name
//	{hex17} {hex8:label}                    17 or 8 hex digits of its own; a label makes another value
//	{uuid} {uuid:label} {digits12} {alnum6} the same in other alphabets
//	{ipv4:label}                            a public address (203.0.113.0/24 and its documentation siblings)
//	{vpcId} {vpcConfig.vpcId}               a property
//	{subnetId->vpcId}                       a property of what a property refers to
//	{a|b}                                   the first that is there
//	{a|}                                    nothing, if it is not there
//
// The made-up values derive from the account, the URN and how often the URN was
// created, so that the same life of a stack gives the same ids.

// expand fills in a template. It is false if a placeholder has no known value;
// such a placeholder expands to nothing.
func (c *call) expand(template string) (string, bool) {
	if !strings.Contains(template, "{") {
		return template, true
	}
	var b strings.Builder
	known := true
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), known
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String(), known
		}
		text, ok := c.placeholder(name)
		known = known && ok
		b.WriteString(text)
		template = after
	}
}

func (c *call) placeholder(name string) (string, bool) {
	for option := range strings.SplitSeq(name, "|") {
		if option == "" {
			return "", true
		}
		if text, ok := c.one(option); ok {
			return text, true
		}
	}
	return "", false
}

func (c *call) one(name string) (string, bool) {
	switch name {
	case "account":
		return c.conf.account, true
	case "partition":
		return c.acct.partition, true
	case "region":
		return c.conf.region, true
	case "dns":
		return dnsSuffix(c.acct.partition), true
	case "id":
		return c.id, c.id != ""
	case "urnName":
		return resource.URN(c.urn).Name(), true
	}
	if word, ok := c.kind.words[name]; ok {
		return word(c), true
	}
	if text, ok := c.invent(name); ok {
		return text, true
	}
	if property, field, ok := strings.Cut(name, "->"); ok {
		if r := c.referred(property); r != nil {
			return text(r.outputs, field)
		}
		return "", false
	}
	if s, ok := text(c.out, name); ok {
		return s, true
	}
	return text(c.in, name)
}

// text is a scalar property as text.
func text(m resource.PropertyMap, path string) (string, bool) {
	vs := valuesAt(m, path)
	if len(vs) == 0 {
		return "", false
	}
	switch v := vs[0]; {
	case v.IsString():
		return v.StringValue(), v.StringValue() != ""
	case v.IsNumber():
		return strconv.FormatFloat(v.NumberValue(), 'f', -1, 64), true
	case v.IsBool():
		return strconv.FormatBool(v.BoolValue()), true
	}
	return "", false
}

const (
	hexDigits = "0123456789abcdef"
	alnum     = "0123456789abcdefghijklmnopqrstuvwxyz"
	upper     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	decimal   = "0123456789"
)

// invent makes the made-up values: hexN, alnumN, upperN, digitsN, uuid, ipv4.
func (c *call) invent(name string) (string, bool) {
	alphabet, label, _ := strings.Cut(name, ":")
	if alphabet == "uuid" {
		h := c.random(label+"uuid", hexDigits, 32)
		return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:], true
	}
	if alphabet == "ipv4" {
		n := c.hash(label + "ipv4")
		nets := []string{"192.0.2", "198.51.100", "203.0.113"} // RFC 5737: nobody's addresses
		return fmt.Sprintf("%s.%d", nets[int(n[0])%len(nets)], 1+int(n[1])%254), true
	}
	for prefix, letters := range map[string]string{"hex": hexDigits, "alnum": alnum, "upper": upper, "digits": decimal} {
		if digits, ok := strings.CutPrefix(alphabet, prefix); ok {
			if n, err := strconv.Atoi(digits); err == nil {
				return c.random(label, letters, n), true
			}
		}
	}
	return "", false
}

func (c *call) hash(label string) [sha256.Size]byte {
	return sha256.Sum256([]byte(c.acct.id + "\x00" + c.urn + "\x00" + strconv.Itoa(c.birth) + "\x00" + label))
}

func (c *call) random(label, letters string, n int) string {
	sum := c.hash(label)
	if letters == hexDigits && n <= 2*len(sum) {
		return hex.EncodeToString(sum[:])[:n]
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = letters[int(sum[i%len(sum)])%len(letters)]
	}
	return string(out)
}

func dnsSuffix(partition string) string {
	if partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
