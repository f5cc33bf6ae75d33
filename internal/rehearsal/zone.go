package rehearsal

import "strings"

// zoneLetters are the availability zones of a region; most have at least three.
var zoneLetters = []byte{'a', 'b', 'c'}

// zoneIDPrefixes are the short region codes of zone ids where the first two
// letters, the direction's initial and the number do not make it.
var zoneIDPrefixes = map[string]string{
	"us-east-1": "use1", "us-east-2": "use2", "us-west-1": "usw1", "us-west-2": "usw2",
	"ap-northeast-1": "apne1", "ap-northeast-2": "apne2", "ap-northeast-3": "apne3",
	"ap-southeast-1": "apse1", "ap-southeast-2": "apse2", "us-gov-west-1": "usgw1", "us-gov-east-1": "usge1",
}

// zoneID is the id of a zone: "use1-az1". AWS shuffles letters per account; a
// rehearsal does not.
func zoneID(region string, letter byte) string {
	number := strings.IndexByte("abcdef", letter) + 1
	return zoneIDPrefix(region) + "-az" + string(rune('0'+number))
}

func zoneIDPrefix(region string) string {
	if p, ok := zoneIDPrefixes[region]; ok {
		return p
	}
	parts := strings.Split(region, "-")
	out := parts[0]
	for _, p := range parts[1:] {
		out += p[:1]
	}
	return out
}
