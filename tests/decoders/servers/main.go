// The route table for Go's http.ServeMux. Argument: a port.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	mux := http.NewServeMux()
	for pattern, route := range map[string]string{
		"GET /api/menu":               "menu",
		"GET /api/menu/{id}":          "item",
		"GET /api/users/{id}":         "user",
		"GET /api/orders/{id}/status": "status",
		"GET /api/orders":             "orders",
		"GET /api/orders/":            "orders",
		"GET /api/kiosk":              "kiosk",
		"GET /admin":                  "admin",
		"GET /admin/":                 "admin",
		"GET /files":                  "files",
		"GET /files/":                 "files",
		"GET /café":                   "cafe",
		"GET /two words":              "words",
		"GET /a,b":                    "comma",
		"GET /":                       "rest",
	} {
		mux.HandleFunc(pattern, func(response http.ResponseWriter, request *http.Request) {
			fmt.Fprintf(response, "%s|~|%s", route, request.URL.Path)
			if id := request.PathValue("id"); id != "" {
				fmt.Fprintf(response, "|~|%s", id)
			}
		})
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}
