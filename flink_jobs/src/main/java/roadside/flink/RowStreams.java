package roadside.flink;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;

/**
 * Between tables and streams without a change of form: Flink's own conversion makes a {@code Row}
 * of every row and back, which costs more than most of what is done with it.
 */
public final class RowStreams {
    private RowStreams() {}

    /** Returns a table's rows as the table has them. */
    public static DataStream<RowData> of(StreamTableEnvironment tables, Table table) {
        return tables.toDataStream(
                table,
                table.getResolvedSchema().toSourceRowDataType().notNull().bridgedTo(RowData.class));
    }

    /** Returns the type of a table's rows. */
    public static RowType type(Table table) {
        return (RowType) table.getResolvedSchema().toSourceRowDataType().getLogicalType();
    }

    /** Returns a stream of rows as a table. */
    public static Table table(StreamTableEnvironment tables, DataStream<RowData> rows) {
        return tables.fromDataStream(rows);
    }

    /** Returns a stream of rows as a table with an event time, whose watermarks are the stream's. */
    public static Table table(
            StreamTableEnvironment tables, DataStream<RowData> rows, String eventTime) {
        Schema schema =
                Schema.newBuilder().watermark(eventTime, "SOURCE_WATERMARK()").build();
        return tables.fromDataStream(rows, schema);
    }

    /** Returns a type with every field nullable: one form, whatever a query says of its own rows. */
    static RowType nullable(RowType type) {
        List<RowType.RowField> fields = new ArrayList<>();
        for (RowType.RowField field : type.getFields()) {
            fields.add(new RowType.RowField(field.getName(), field.getType().copy(true)));
        }
        return new RowType(fields);
    }

    static TypeInformation<RowData> typeInfo(RowType type) {
        return InternalTypeInfo.of(type);
    }
}
