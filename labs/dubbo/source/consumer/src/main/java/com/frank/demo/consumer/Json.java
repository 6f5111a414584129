package com.frank.demo.consumer;

/** Writes JSON. */
final class Json {

    private Json() {
    }

    /** Returns a text as a JSON string, in quotes. */
    static String string(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter == '"' || letter == '\\') {
                json.append('\\').append(letter);
            } else if (letter < ' ') {
                json.append(String.format("\\u%04x", (int) letter));
            } else {
                json.append(letter);
            }
        }
        return json.append('"').toString();
    }

    /** Returns the one sentence that says why there is no answer. */
    static String error(String sentence) {
        return "{\"error\": " + string(sentence) + "}";
    }
}
