// Command whoami is the course's test workload: an HTTP server that answers with its host name, its addresses, the
// caller's address and the request, a line each, so that one answer shows which pod was reached, from where, and how.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

// version is set by the build.
var version = "dev"

func main() {
	port := flag.String("port", "80", "TCP port to listen on")
	name := flag.String("name", "", "a name to show, when several servers are compared")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println("whoami", version)
		return
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		host, _ := os.Hostname()
		if *name != "" {
			fmt.Fprintln(w, "Name:", *name)
		}
		fmt.Fprintln(w, "Hostname:", host)
		addresses, _ := net.InterfaceAddrs()
		for _, address := range addresses {
			if network, ok := address.(*net.IPNet); ok {
				fmt.Fprintln(w, "IP:", network.IP)
			}
		}
		fmt.Fprintln(w, "RemoteAddr:", r.RemoteAddr)
		if err := r.Write(w); err != nil {
			log.Print(err)
		}
	})
	log.Fatal(http.ListenAndServe(":"+*port, nil))
}
