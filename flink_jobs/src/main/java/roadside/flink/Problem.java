package roadside.flink;

/** What is wrong with an event: a code for machines and a text for people. */
final class Problem {
    /** Between the two, where SQL carries both in one text. */
    static final String SEPARATOR = "|";

    final String code;
    final String reason;

    Problem(String code, String reason) {
        this.code = code;
        this.reason = reason;
    }

    static Problem parse(String text) {
        int end = text.indexOf(SEPARATOR);
        return new Problem(text.substring(0, end), text.substring(end + 1));
    }
}
