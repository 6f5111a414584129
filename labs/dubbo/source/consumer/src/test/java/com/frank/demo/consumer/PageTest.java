package com.frank.demo.consumer;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PageTest {

    @Test
    void theFormKeepsTheName() {
        assertTrue(Page.of("Frank", "{}").contains("value=\"Frank\""));
    }

    @Test
    void whatTheVisitorTypesIsText() {
        String page = Page.of("\"><script>", "<script>");
        assertFalse(page.contains("<script>") || page.contains("\">&lt;script"));
    }
}
