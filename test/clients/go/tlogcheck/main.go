// Tlogcheck checks a log served as C2SP tiles with golang.org/x/mod/sumdb, which shares no code with Assay: every checkpoint of a file
// by the log's key, its root from the tiles, and its inclusion and consistency proofs, which must equal those that x/mod makes itself.
//
// Usage: tlogcheck LOG-URL VKEY FILE, where each line of FILE is the JSON of a check.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type check struct {
	Checkpoint  []byte
	Index       int64
	Entry       []byte
	Inclusion   [][]byte
	OldSize     int64
	Consistency [][]byte
}

// tiles reads https://c2sp.org/tlog-tiles, whose paths are those of x/mod without the height.
type tiles struct{ url string }

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		response, err := http.Get(t.url + "/tile/" + path)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, response.Status)
		}
		data = append(data, body)
	}
	return data, nil
}

func parseTree(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("checkpoint of %d lines", len(lines))
	}
	var tree tlog.Tree
	if _, err := fmt.Sscan(lines[1], &tree.N); err != nil {
		return tree, err
	}
	hash, err := tlog.ParseHash(lines[2])
	tree.Hash = hash
	return tree, err
}

func hashes(list [][]byte) []tlog.Hash {
	converted := make([]tlog.Hash, len(list))
	for i, bytes := range list {
		copy(converted[i][:], bytes)
	}
	return converted
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i][:], b[i][:]) {
			return false
		}
	}
	return true
}

func main() {
	log.SetFlags(0)
	url, vkey, path := os.Args[1], os.Args[2], os.Args[3]
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	roots := map[int64]tlog.Hash{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		var c check
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			log.Fatal(err)
		}
		opened, err := note.Open(c.Checkpoint, note.VerifierList(verifier))
		if err != nil {
			log.Fatalf("line %d: %v", count+1, err)
		}
		tree, err := parseTree(opened.Text)
		if err != nil {
			log.Fatalf("line %d: %v", count+1, err)
		}
		roots[tree.N] = tree.Hash
		reader := tlog.TileHashReader(tree, tiles{url})
		root, err := tlog.TreeHash(tree.N, reader)
		if err != nil || root != tree.Hash {
			log.Fatalf("size %d: root from tiles: %v %v", tree.N, root, err)
		}
		inclusion, err := tlog.ProveRecord(tree.N, c.Index, reader)
		if err != nil || !same(inclusion, hashes(c.Inclusion)) {
			log.Fatalf("size %d: another inclusion proof of %d: %v", tree.N, c.Index, err)
		}
		if err := tlog.CheckRecord(hashes(c.Inclusion), tree.N, tree.Hash, c.Index, tlog.RecordHash(c.Entry)); err != nil {
			log.Fatalf("size %d: entry %d: %v", tree.N, c.Index, err)
		}
		if c.OldSize > 0 {
			consistency, err := tlog.ProveTree(tree.N, c.OldSize, reader)
			if err != nil || !same(consistency, hashes(c.Consistency)) {
				log.Fatalf("size %d: another consistency proof from %d: %v", tree.N, c.OldSize, err)
			}
			if err := tlog.CheckTree(hashes(c.Consistency), tree.N, tree.Hash, c.OldSize, roots[c.OldSize]); err != nil {
				log.Fatalf("size %d from %d: %v", tree.N, c.OldSize, err)
			}
		}
		count++
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(count)
}
