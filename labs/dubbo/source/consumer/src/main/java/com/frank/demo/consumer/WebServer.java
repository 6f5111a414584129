package com.frank.demo.consumer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers HTTP: {@code /hello}, the page {@code /}, and for the kubelet {@code /live} and {@code /ready}. */
final class WebServer {

    private static final Logger LOG = LoggerFactory.getLogger(WebServer.class);
    private static final int THREADS = 16;
    private static final int WAITING = 64;
    private static final String JSON = "application/json; charset=utf-8";
    private static final String HTML = "text/html; charset=utf-8";

    static {
        // Without it the second half of an answer waits 40 ms for the client's acknowledgement of the first.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // A client that is slow with its request keeps a thread for so many seconds.
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
    }

    private final HttpServer server;
    private final ExecutorService threads;
    private final Hello hello;
    private volatile boolean leaving;

    /**
     * Binds the port.
     *
     * @param port the port, on all addresses
     * @param hello what is asked
     * @throws IOException if the port can't be had
     */
    WebServer(int port, Hello hello) throws IOException {
        this.hello = hello;
        server = HttpServer.create(new InetSocketAddress(port), 0);
        // When all are busy and the queue is full, the thread that accepts connections does the work: others wait.
        threads = new ThreadPoolExecutor(THREADS, THREADS, 0, TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING), new ThreadPoolExecutor.CallerRunsPolicy());
        server.setExecutor(threads);
        server.createContext("/", this::handle);
    }

    private record Response(int status, String type, String body) {
    }

    /** Begins to answer. */
    void start() {
        server.start();
    }

    /** Returns the port at which it listens. */
    int port() {
        return server.getAddress().getPort();
    }

    /** Says from now on that it is not ready, and answers all the same. */
    void leave() {
        leaving = true;
    }

    /**
     * Ends.
     *
     * @param seconds how long it waits for answers that are under way
     */
    void stop(int seconds) {
        server.stop(seconds);
        threads.shutdown();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Response response;
            try {
                response = respond(exchange);
            } catch (RuntimeException problem) {
                LOG.error("no answer to {}", exchange.getRequestURI(), problem);
                response = error(500, "The consumer has an error; its log says which.");
            }
            send(exchange, response);
        }
    }

    private Response respond(HttpExchange exchange) {
        URI uri = exchange.getRequestURI();
        return switch (uri.getPath()) {
            case "/", "/hello", "/live", "/ready" -> exchange.getRequestMethod().equals("GET")
                    ? get(uri)
                    : error(405, "Only GET is answered here.");
            default -> error(404, "There is nothing here; try / or /hello?name=world.");
        };
    }

    private Response get(URI uri) {
        return switch (uri.getPath()) {
            case "/live" -> new Response(200, JSON, "{\"live\": true}");
            case "/ready" -> new Response(leaving ? 503 : 200, JSON, "{\"ready\": " + !leaving + "}");
            default -> greet(uri);
        };
    }

    private Response greet(URI uri) {
        String name = name(uri.getRawQuery());
        Hello.Answer answer = hello.greet(name);
        return uri.getPath().equals("/")
                ? new Response(answer.status(), HTML, Page.of(name, answer.json()))
                : new Response(answer.status(), JSON, answer.json());
    }

    private static String name(String query) {
        for (String pair : query == null ? new String[0] : query.split("&")) {
            if (pair.startsWith("name=")) {
                return URLDecoder.decode(pair.substring("name=".length()), StandardCharsets.UTF_8);
            }
        }
        return "";
    }

    private static Response error(int status, String sentence) {
        return new Response(status, JSON, Json.error(sentence));
    }

    private void send(HttpExchange exchange, Response response) throws IOException {
        byte[] body = (response.body() + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", response.type());
        if (response.status() == 405) {
            exchange.getResponseHeaders().set("Allow", "GET");
        }
        if (leaving) {
            // so that the next request goes to another pod
            exchange.getResponseHeaders().set("Connection", "close");
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(response.status(), -1);
        } else {
            exchange.sendResponseHeaders(response.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
