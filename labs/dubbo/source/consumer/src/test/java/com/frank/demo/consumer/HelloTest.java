package com.frank.demo.consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.frank.demo.api.Greeting;
import com.frank.demo.api.GreetingService;
import org.apache.dubbo.rpc.RpcException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HelloTest {

    private static Hello.Answer ask(GreetingService service, String name) {
        return new Hello(service, "v2", "pod-c").greet(name);
    }

    private static Greeting echo(String name) {
        return new Greeting(name, "v1", "pod-p");
    }

    @Test
    void theAnswerSaysWhoGaveIt() {
        String json = "{\"message\": \"Frank\", \"provider\": {\"version\": \"v1\", \"pod\": \"pod-p\"}, "
                + "\"consumer\": {\"version\": \"v2\", \"pod\": \"pod-c\"}}";
        assertEquals(new Hello.Answer(200, json), ask(HelloTest::echo, "Frank"));
    }

    @Test
    void withoutANameTheWorldIsGreeted() {
        assertEquals(ask(HelloTest::echo, "world"), ask(HelloTest::echo, ""));
    }

    @ParameterizedTest
    @CsvSource({"64, 200", "65, 400"})
    void aNameHasAtMost64Characters(int length, int status) {
        assertEquals(status, ask(HelloTest::echo, "你".repeat(length)).status());
    }

    @ParameterizedTest
    @CsvSource({
        RpcException.NO_INVOKER_AVAILABLE_AFTER_FILTER + ", No provider is there",
        RpcException.NETWORK_EXCEPTION + ", No provider is there",
        RpcException.TIMEOUT_EXCEPTION + ", No provider answered in time.",
        RpcException.SERIALIZATION_EXCEPTION + ", The call failed: made by a test",
    })
    void aFailureIsOneSentence(int code, String beginning) {
        GreetingService failing = name -> {
            throw new RpcException(code, "made by a test");
        };
        Hello.Answer answer = ask(failing, "Frank");
        assertTrue(answer.status() == 503 && answer.json().startsWith("{\"error\": \"" + beginning), answer.json());
    }

    @Test
    void whatAProviderThrowsIsOneSentenceToo() {
        GreetingService failing = name -> {
            throw new IllegalStateException("made by a test");
        };
        assertEquals(new Hello.Answer(503, Json.error("The provider failed: made by a test")), ask(failing, "Frank"));
    }
}
