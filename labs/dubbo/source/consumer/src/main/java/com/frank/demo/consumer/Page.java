package com.frank.demo.consumer;

/** The web page: a form for the name, and the answer below it. Works without JavaScript. */
final class Page {

    private static final String HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>Dubbo demo</title>
              <style>
                body { font: 1.1rem/1.5 sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
                input, button { font: inherit; padding: .2rem .6rem; }
                pre { background: #f3f3f3; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
              </style>
            </head>
            <body>
              <h1>Dubbo demo</h1>
              <form action="/">
                <label>Name <input name="name" maxlength="64" value="%s" autofocus></label>
                <button>Greet</button>
              </form>
              <pre>%s</pre>
            </body>
            </html>
            """;

    private Page() {
    }

    /** Returns the page with a name in its form, and the answer to it. */
    static String of(String name, String json) {
        return HTML.formatted(escape(name), escape(json));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
