package com.frank.demo.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

    private static final String REGISTRY = "zookeeper://f0-11.frank.com:2181?backup=f0-12.frank.com:2181";

    @Test
    void theEnvironmentSaysWhere() throws Settings.Wrong {
        Settings settings = Settings.of(Map.of("REGISTRY", REGISTRY, "POD_NAME", "pod-1", "POD_IP", "10.0.0.1"));
        assertEquals(new Settings("tested", "v1", REGISTRY, "pod-1", "10.0.0.1"), settings);
    }

    @Test
    void moreMembersCanFollow() throws Settings.Wrong {
        String three = REGISTRY + ",f0-13.frank.com:2181";
        assertEquals(three, Settings.of(Map.of("REGISTRY", three)).registry());
    }

    @Test
    void aHostCanStandForAPod() throws Settings.Wrong {
        assertFalse(Settings.of(Map.of("REGISTRY", REGISTRY)).pod().isEmpty());
    }

    @Test
    void withoutAnAddressDubboLooksForOne() throws Settings.Wrong {
        assertTrue(Settings.of(Map.of("REGISTRY", REGISTRY)).address().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "zookeeper://a", "zookeeper://a:b", "zookeeper://a:1?backup=", "http://a:1"})
    void aRegistryThatCantBeReadIsRefused(String registry) {
        Exception wrong = assertThrows(Settings.Wrong.class, () -> Settings.of(Map.of("REGISTRY", registry)));
        assertTrue(wrong.getMessage().startsWith("Set REGISTRY"));
    }

    @Test
    void theRegistryIsRequired() {
        assertThrows(Settings.Wrong.class, () -> Settings.of(Map.of()));
    }
}
