package com.frank.demo.consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class JsonTest {

    @Test
    void whatEndsAStringIsEscaped() {
        assertEquals("\"\\\"\\\\\\u000a<你\"", Json.string("\"\\\n<你"));
    }
}
