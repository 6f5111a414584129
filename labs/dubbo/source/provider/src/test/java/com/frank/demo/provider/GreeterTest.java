package com.frank.demo.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.frank.demo.api.Greeting;
import org.junit.jupiter.api.Test;

/** What holds whatever the words are. */
class GreeterTest {

    private final Greeter greeter = new Greeter("v1", "pod-1");

    @Test
    void theNameIsInTheGreeting() {
        assertTrue(greeter.greet("Frank").message().contains("Frank"));
    }

    @Test
    void thereAreWordsAroundTheName() {
        assertNotEquals("Frank", greeter.greet("Frank").message());
    }

    @Test
    void aNameIsNoFormat() {
        assertTrue(greeter.greet("100 %s").message().contains("100 %s"));
    }

    @Test
    void theGreeterSaysWhoItIs() {
        Greeting greeting = greeter.greet("Frank");
        assertEquals("v1 in pod-1", greeting.version() + " in " + greeting.pod());
    }
}
