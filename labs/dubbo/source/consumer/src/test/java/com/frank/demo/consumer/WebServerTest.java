package com.frank.demo.consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.frank.demo.api.Greeting;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WebServerTest {

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private WebServer web;

    @BeforeEach
    void start() throws IOException {
        web = new WebServer(0, new Hello(name -> new Greeting(name, "v1", "pod-p"), "v2", "pod-c"));
        web.start();
    }

    @AfterEach
    void stop() {
        web.stop(0);
    }

    private HttpResponse<String> send(String method, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + web.port() + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /hello, 200, application/json; charset=utf-8",
        "GET, /hello?name=Frank, 200, application/json; charset=utf-8",
        "GET, /, 200, text/html; charset=utf-8",
        "GET, /live, 200, application/json; charset=utf-8",
        "GET, /ready, 200, application/json; charset=utf-8",
        "GET, /nowhere, 404, application/json; charset=utf-8",
        "POST, /hello, 405, application/json; charset=utf-8",
        "POST, /nowhere, 404, application/json; charset=utf-8",
    })
    void everyPathHasItsAnswer(String method, String path, int status, String type) throws Exception {
        HttpResponse<String> response = send(method, path);
        assertEquals(status, response.statusCode());
        assertEquals(type, response.headers().firstValue("Content-Type").get());
    }

    @Test
    void theNameIsDecoded() throws Exception {
        assertTrue(send("GET", "/hello?x=1&name=J%C3%BCrgen+M").body().startsWith("{\"message\": \"Jürgen M\""));
    }

    @Test
    void thePageShowsTheAnswer() throws Exception {
        assertTrue(send("GET", "/?name=Frank").body().contains("{&quot;message&quot;: &quot;Frank&quot;"));
    }

    @Test
    void whoLeavesIsNotReady() throws Exception {
        web.leave();
        assertEquals(503, send("GET", "/ready").statusCode());
    }

    @Test
    void whoLeavesStillAnswers() throws Exception {
        web.leave();
        assertEquals(200, send("GET", "/hello").statusCode());
    }

    @Test
    void whoLeavesKeepsNoConnection() throws Exception {
        web.leave();
        assertEquals("close", send("GET", "/hello").headers().firstValue("Connection").get());
    }
}
