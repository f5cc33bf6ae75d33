package rule

import "sync"

// documentCache keeps what was parsed of the last texts: a dozen rules read each
// policy, and a stack has the same one many times.
type documentCache struct {
	mu     sync.Mutex
	parsed map[string]parsedDocument
	size   int
}

type parsedDocument struct {
	doc Document
	err error
}

// cacheSize is how many bytes of text the cache keeps: some thousand policies.
const cacheSize = 4 << 20

var documents = documentCache{parsed: map[string]parsedDocument{}}

// parse is ParseDocument. The document is shared: nobody may change it.
func (c *documentCache) parse(text string) (Document, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.parsed[text]; ok {
		return p.doc, p.err
	}
	if c.size += len(text); c.size > cacheSize {
		clear(c.parsed)
		c.size = len(text)
	}
	doc, err := ParseDocument(text)
	c.parsed[text] = parsedDocument{doc, err}
	return doc, err
}
