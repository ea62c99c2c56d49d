package roadside.flink;

import java.util.List;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;

/** Records that cannot be used, with where they came from and what is wrong, as rows. */
final class DeadLetters {
    static final RowType TYPE =
            new RowType(
                    List.of(
                            new RowType.RowField("source", text()),
                            new RowType.RowField("record_text", text()),
                            new RowType.RowField("code", text()),
                            new RowType.RowField("reason", text()),
                            new RowType.RowField("received_ts", new BigIntType())));

    private DeadLetters() {}

    static RowData row(
            String source, StringData raw, Problem problem, TimestampData receivedAt) {
        return GenericRowData.of(
                StringData.fromString(source),
                raw,
                StringData.fromString(problem.code),
                StringData.fromString(problem.reason),
                receivedAt.getMillisecond());
    }

    private static VarCharType text() {
        return new VarCharType(VarCharType.MAX_LENGTH);
    }
}
