// Package pairs finds the certificates of a listener, and their keys.
package pairs

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"ftpalg/cmd/internal/acme/order"
	"ftpalg/cmd/internal/config"
)

// Files are the files of one pair, by their absolute paths.
type Files struct{ Certificate, Key string }

// fallback is the name of the pair that serves clients which name none.
const fallback = "default"

// Of lists the pairs of a listener, that in front which serves clients that name
// none. Those that have yet to come from an authority are not among them. Files is the
// root of the machine's.
func Of(t *config.TLS, files fs.FS) (all []Files, err error) {
	for i := range t.Certificates {
		all = append(all, Files{t.Certificates[i], t.Keys[i]})
	}
	if t.ACME != nil {
		for _, name := range t.ACME.Names {
			if pair := order.Pair(t.ACME.Storage, name); exists(files, pair) {
				all = append(all, Files{pair, pair})
			}
		}
	}
	if t.Folder == "" {
		return all, nil
	}
	entries, err := fs.ReadDir(files, rooted(t.Folder))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		f, ok := in(files, t.Folder, e.Name())
		switch {
		case !ok:
		case strings.TrimSuffix(e.Name(), path.Ext(e.Name())) == fallback:
			all = slices.Insert(all, 0, f)
		default:
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no certificate: NAME.crt or NAME.pem beside NAME.key, or a folder NAME with fullchain.pem and privkey.pem, or tls.crt and tls.key", t.Folder)
	}
	return all, nil
}

// in returns the pair that an entry of a folder stands for: NAME.key has its
// certificate beside it, and a folder has both, as certbot or Kubernetes name them.
func in(files fs.FS, folder, name string) (f Files, ok bool) {
	if strings.HasPrefix(name, ".") {
		return f, false
	}
	at := path.Join(folder, name)
	if base, isKey := strings.CutSuffix(at, ".key"); isKey {
		if f = (Files{base + ".crt", at}); !exists(files, f.Certificate) {
			f.Certificate = base + ".pem"
		}
		return f, true
	}
	for _, f := range []Files{{"fullchain.pem", "privkey.pem"}, {"tls.crt", "tls.key"}} {
		f.Certificate, f.Key = path.Join(at, f.Certificate), path.Join(at, f.Key)
		if exists(files, f.Key) {
			return f, true
		}
	}
	return f, false
}

func exists(files fs.FS, name string) bool {
	_, err := fs.Stat(files, rooted(name))
	return err == nil
}

// rooted returns an absolute path as one of a file system whose root is /.
func rooted(name string) string {
	if name = strings.TrimPrefix(path.Clean(name), "/"); name == "" {
		return "."
	}
	return name
}
