package live

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// Files, where it is set, has the files that Embed reads: a program that was built
// of a notebook brings them.
var Files fs.FS

// Embed reads files of a directory into what target points to: a string or a
// []byte takes one, an embed.FS any number. Names have slashes.
func Embed(target any, dir string, files ...string) error {
	contents := map[string]string{}
	for _, name := range files {
		data, err := readFile(dir, name)
		if err != nil {
			return err
		}
		contents[name] = string(data)
	}
	v := reflect.ValueOf(target).Elem()
	switch v.Kind() {
	case reflect.String:
		v.SetString(contents[files[0]])
	case reflect.Slice:
		v.SetBytes([]byte(contents[files[0]]))
	default:
		tree := embedTree(contents)
		if v.Kind() != reflect.Struct || v.NumField() != 1 || v.Type().Field(0).Type.Kind() != reflect.Pointer ||
			v.Type().Field(0).Type.Elem().Elem().Size() != unsafe.Sizeof(embedFile{}) {
			return fmt.Errorf("%s is not laid out as in the Go that this kernel knows", v.Type())
		}
		*(**[]embedFile)(v.Addr().UnsafePointer()) = &tree
	}
	return nil
}

func readFile(dir, name string) ([]byte, error) {
	if Files != nil {
		return fs.ReadFile(Files, path.Join(dir, name))
	}
	return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
}

// embedFile is a file or a folder as package embed keeps it.
type embedFile struct {
	name string // of a folder, with a slash at the end
	data string
	_    [16]byte // a hash
}

// embedTree is the list of files that an embed.FS holds, with their folders, in
// the order that it searches: by folder, then by name.
func embedTree(contents map[string]string) []embedFile {
	all := maps.Clone(contents)
	for name := range contents {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			all[dir+"/"] = ""
		}
	}
	tree := make([]embedFile, 0, len(all))
	for name, data := range all {
		tree = append(tree, embedFile{name: name, data: data})
	}
	slices.SortFunc(tree, func(a, b embedFile) int {
		x, y := strings.TrimSuffix(a.name, "/"), strings.TrimSuffix(b.name, "/")
		return cmp.Or(cmp.Compare(path.Dir(x), path.Dir(y)), cmp.Compare(x, y))
	})
	return tree
}
