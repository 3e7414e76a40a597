package config

// checkAdmin reports an admin.http that other machines could read without a
// token.
func (c *Config) checkAdmin(r *report) {
	const http, token, file = "admin.http", "admin.token", "admin.token_file"
	if r.given(token) && r.given(file) {
		r.add(file, "excludes admin.token; give one of them")
	}
	if !r.clean(http, token, file) || !c.Admin.HTTP.IsValid() || c.Admin.HTTP.Addr().IsLoopback() || c.Admin.Guarded() {
		return
	}
	r.add(http, "%s can be reached from other machines; set admin.token or admin.token_file too, or listen on 127.0.0.1", c.Admin.HTTP)
}
